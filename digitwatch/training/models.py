"""The two networks: `dense`, the simplest that reads digits, and `cnn`, the one that reads them well."""

from collections.abc import Callable

import keras
from keras import layers

DIGITS = tuple("0123456789")
OTHER = "other"  # the label of what is no digit

# ---- cnn: two 3x3 convolutions at each of three sizes, then the average over the picture (after VGG,
# Simonyan and Zisserman 2014, with the batch normalisation of Ioffe and Szegedy 2015)
WIDTHS = (32, 64, 128)
DROPOUT = 0.1


def dense() -> keras.Model:
    """Return Flatten, two Dense ReLU and a softmax over the ten digits: (N, 28, 28, 1) to (N, 10) probabilities."""
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Flatten(),  # (N, 784)
            layers.Dense(128, activation="relu"),  # (N, 128)
            layers.Dense(128, activation="relu"),  # (N, 128)
            layers.Dense(len(DIGITS), activation="softmax", dtype="float32"),  # (N, 10)
        ],
        name="dense",
    )


def cnn() -> keras.Model:
    """Return the convolutional network: (N, 28, 28, 1) from 0 to 1, to (N, 11) logits of ten digits and `other`."""
    picture = flow = layers.Input((28, 28, 1))
    for stage, width in enumerate(WIDTHS):
        flow = layers.Conv2D(width, 3, padding="same", use_bias=stage == 0)(flow)
        if stage:  # at full size normalising costs as much as convolving, and one there is enough
            flow = layers.BatchNormalization()(flow)
        flow = layers.Activation("relu")(flow)
        flow = layers.Conv2D(width, 3, padding="same", use_bias=False)(flow)
        if width != WIDTHS[-1]:  # pooled first, there is a quarter to normalise
            flow = layers.MaxPooling2D()(flow)  # (N, 14, 14, 32), then (N, 7, 7, 64)
        flow = layers.BatchNormalization()(flow)
        flow = layers.Activation("relu")(flow)
    flow = layers.GlobalAveragePooling2D()(flow)  # (N, 128)
    flow = layers.Dropout(DROPOUT)(flow)
    logits = layers.Dense(len(DIGITS) + 1, dtype="float32")(flow)  # (N, 11)
    return keras.Model(picture, logits, name="cnn")


ARCHITECTURES: dict[str, Callable[[], keras.Model]] = {"cnn": cnn, "dense": dense}
