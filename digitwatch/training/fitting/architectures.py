"""The networks: `dense` is the simplest for digits, `cnn` the most accurate, and `line` reads a whole text line."""

from collections.abc import Callable

import keras
from keras import layers

from digitwatch.recognition.networks import foreground_network
from digitwatch.recognition.networks.crop_recognizer import HEIGHT, LABELS

DIGITS = tuple("0123456789")
OTHER = "other"  # the label of non-digits

# ---- cnn: two 3x3 convolutions at each of three sizes, then the average over the image (after VGG,
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


def cnn(shape: tuple[int, ...] = (28, 28, 1), answers: int = len(DIGITS) + 1, *, memory: float = 0.99) -> keras.Model:
    """Return the convolutional network: (N, 28, 28, 1) from 0 to 1, to (N, 11) logits of ten digits and `other`.

    `shape` and `answers` are those of other images and classes; `memory` is the momentum of batch normalisation.
    """
    picture = layers.Input(shape)
    flow = layers.GlobalAveragePooling2D()(_convolutions(picture, memory))  # (N, 128)
    flow = layers.Dropout(DROPOUT)(flow)
    logits = layers.Dense(answers, dtype="float32")(flow)  # (N, 11)
    return keras.Model(picture, logits, name="cnn")


def line() -> keras.Model:
    """Return the network for text lines: (N, 32, W, 1) from 0 to 1, to (N, W / 4, 12) logits per frame.

    The classes are the ten digits, `other` and the blank of connectionist temporal classification (Graves et al.
    2006), whose training needs the text of a line but no positions. W is a multiple of 4.
    """
    strip = layers.Input((32, None, 1))
    flow = layers.MaxPooling2D((2, 1))(_convolutions(strip))  # (N, 4, W / 4, 128)
    flow = layers.ZeroPadding2D((0, 1))(flow)
    flow = layers.Conv2D(WIDTHS[-1], (4, 3), use_bias=False)(flow)  # (N, 1, W / 4, 128): all of a column
    flow = layers.Activation("relu")(layers.BatchNormalization()(flow))
    flow = layers.Dropout(DROPOUT)(flow)
    logits = layers.Conv2D(len(DIGITS) + 2, 1, dtype="float32")(flow)  # (N, 1, W / 4, 12)
    return keras.Model(strip, layers.Reshape((-1, len(DIGITS) + 2), dtype="float32")(logits), name="line")


def _convolutions(flow: keras.KerasTensor, memory: float = 0.99) -> keras.KerasTensor:
    """Return (N, H / 4, W / 4, 128) of (N, H, W, 1 or 3)."""
    for stage, width in enumerate(WIDTHS):
        flow = layers.Conv2D(width, 3, padding="same", use_bias=stage == 0)(flow)
        if stage:  # at full size a normalisation costs as much as a convolution, and one is enough
            flow = layers.BatchNormalization(momentum=memory)(flow)
        flow = layers.Activation("relu")(flow)
        flow = layers.Conv2D(width, 3, padding="same", use_bias=False)(flow)
        if width != WIDTHS[-1]:  # pooled first, so that a quarter of the values is normalised
            flow = layers.MaxPooling2D()(flow)
        flow = layers.BatchNormalization(momentum=memory)(flow)
        flow = layers.Activation("relu")(flow)
    return flow


def crop() -> keras.Model:
    """Return the network for grey crops of a line: (N, 40, W, 1) from 0 to 1, to (N, W / 4, 21) logits.

    They are those of crop_recognizer.LABELS. Convolutions see what stands in a place; two wide ones along the line see
    its neighbours, in place of the recurrence of CRNN (Shi, Bai and Yao 2015). W is a multiple of 4.
    """
    grey = layers.Input((HEIGHT, None, 1))
    flow = _block(grey, 24, (5, 5), strides=2)  # (N, 20, W / 2, 24)
    flow = _block(flow, 32, (3, 3))
    flow = layers.MaxPooling2D()(_block(flow, 32, (3, 3)))  # (N, 10, W / 4, 32)
    flow = _block(flow, 96, (3, 3))
    flow = layers.MaxPooling2D((2, 1))(_block(flow, 96, (3, 3)))  # (N, 5, W / 4, 96)
    flow = _block(flow, 128, (3, 3))
    flow = _block(layers.ZeroPadding2D((0, 1))(flow), 160, (5, 3), padding="valid")  # (N, 1, W / 4, 160)
    flow = _block(_block(flow, 160, (1, 7)), 160, (1, 7))
    flow = layers.Dropout(DROPOUT)(flow)
    logits = layers.Conv2D(len(LABELS), 1, dtype="float32")(flow)  # (N, 1, W / 4, 21)
    return keras.Model(grey, layers.Reshape((-1, len(LABELS)), dtype="float32")(logits), name="crop")


def foreground() -> keras.Model:
    """Return the network for the foreground of grey crops: (N, 48, W, 1) from 0 to 1, to (N, 12, W / 4, 4, 3) logits.

    They are those of the classes of foreground_network, for each 2 by 2 parts of 4 by 4 pixels. Dilated convolutions
    (Yu and Koltun 2016) see the surroundings without a further reduction. W is a multiple of 4.
    """
    grey = layers.Input((foreground_network.HEIGHT, None, 1))
    flow = _block(_block(grey, 24, (5, 5), strides=2), 32, (3, 3))  # (N, 24, W / 2, 32)
    flow = _block(flow, 64, (3, 3), strides=2)  # (N, 12, W / 4, 64)
    for dilation in (1, 2, 4, 1):
        flow = _block(flow, 64, (3, 3), dilation_rate=dilation)
    logits = layers.Conv2D(4 * 3, 1, dtype="float32")(flow)
    return keras.Model(grey, layers.Reshape((12, -1, 4, 3), dtype="float32")(logits), name="foreground")


def _block(flow: keras.KerasTensor, filters: int, kernel: tuple[int, int], **how: object) -> keras.KerasTensor:
    """Return a convolution, normalised and rectified."""
    flow = layers.Conv2D(filters, kernel, use_bias=False, **({"padding": "same"} | how))(flow)
    return layers.Activation("relu")(layers.BatchNormalization()(flow))


ARCHITECTURES: dict[str, Callable[[], keras.Model]] = {
    "cnn": cnn,
    "dense": dense,
    "line": line,
    "crop": crop,
    "foreground": foreground,
}
