"""The only room that imports TensorFlow: data, augmentation, training and evaluation."""
