"""Live sockets: the Socket.IO dialect of the reference client, and a plain JSON one, over one core."""
