"""What the drawn scene is made of: a canvas, people, what they wear, and a place to stand in."""
