"""A door on MQTT: the connection to a broker, and what is said there."""
