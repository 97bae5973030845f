"""The bench: how long frames take, stage by stage, in the whole loop, and with several doors."""
