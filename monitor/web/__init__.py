"""The live page: what the doors see and decide, in a browser. Needs the extra `web`."""
