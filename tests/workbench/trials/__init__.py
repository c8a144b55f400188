"""How each action is tried: one function for one or more, declared with `scene.case`."""
