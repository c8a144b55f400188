"""The furniture around the widgets: tabs, sessions, the empty state, the tour."""
