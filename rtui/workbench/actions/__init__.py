"""What a user can do, one module per subject. Each function takes the desk; `bindings.ACTIONS` lists them all."""
