"""Keras models to LiteRT files and back, quantisation and calibration."""
