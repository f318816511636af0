"""Grade a class: intake → warm sandboxed kernel → trusted verdict → gradebook."""
