"""F3: embedded servers, one file per protocol, and the lab that starts them."""
