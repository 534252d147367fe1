"""From ink to components, text lines and over-segmentation."""
