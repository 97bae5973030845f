"""What people see of a door: frames drawn on, in a window that takes keys and clicks."""
