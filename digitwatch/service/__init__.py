"""The daemon and batch mode over one commit protocol."""
