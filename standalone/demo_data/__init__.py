"""A made-up marketplace for demonstrations: fact files as other systems would deliver them.

It knows nothing of offers or the engine: merchants live, trade and ship, and the campaign finds them as it would in
earnest.
"""
