"""The only package that imports TensorFlow: data, augmentation, training and evaluation."""
