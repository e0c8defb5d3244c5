"""Files that come with a form: they are on disk before a page hears of them."""

from __future__ import annotations

from attrs import frozen

from mailkit.interfaces.storage import IContent


@frozen(eq=False)
class FormFile:
    """One file of a form (RFC 7578 §4.2)."""

    field: str
    """The name of its field."""
    name: str
    """What the browser calls it, without folders; may be empty."""
    content_type: str
    """What the browser says that it is, in lower case; not to be believed."""
    size: int
    """Octets."""
    content: IContent
    """Its octets, until the answer is sent: then the file is gone."""
