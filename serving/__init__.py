"""The path of a request; imports `models` and no other package of ours."""
