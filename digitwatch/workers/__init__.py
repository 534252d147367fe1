"""The process pool, one worker process, its task and the messages between them."""
