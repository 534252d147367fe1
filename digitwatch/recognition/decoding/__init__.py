"""From network outputs to the most probable text, its confidence and review reasons."""
