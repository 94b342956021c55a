"""The ASGI application, and the commands that look after it."""
