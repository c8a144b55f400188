"""F3: links, their supervisors and the hub that owns them. asyncio only."""
