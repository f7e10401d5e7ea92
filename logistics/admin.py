"""Facts about freight in the admin."""

from imports.admin import register
from logistics.import_schemas import FILES

register(*FILES)
