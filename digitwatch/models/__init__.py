"""The bundled models, each a .tflite file and its JSON card."""
