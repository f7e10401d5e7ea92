"""Generator of a marketplace for demonstrations: fact files as other systems would deliver them.

The generator knows nothing of offers or the engine. Merchants trade and ship; the campaign is applied to their facts as
in production.
"""
