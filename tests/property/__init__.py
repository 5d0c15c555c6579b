"""What must hold for every stream of commands: the exchange against its slow twin."""
