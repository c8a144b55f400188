"""F4: the Textual workbench, the only importer of textual and rich."""
