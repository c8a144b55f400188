"""Where adapters touch their libraries' bytes. Each module is imported when a link of its protocol opens."""
