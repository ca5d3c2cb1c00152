"""What an org says of its objects: the fields each has, their types, and who may see and write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: describe's word for the type a SOAP client would see
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


@dataclass(kw_only=True, slots=True)
class Field:
    """One field of an object, as describe shows it."""

    name: str
    label: str = ""
    #: id, string, textarea, email, phone, url, boolean, int, double, currency, percent, date, datetime, picklist,
    #: reference
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    #: picklist values, in order
    values: tuple[str, ...] = ()
    #: a restricted picklist refuses other values
    restricted: bool = False
    #: objects a reference points to, and the name SOQL follows it by (``Account``)
    refers_to: tuple[str, ...] = ()
    relationship: str = ""
    #: a person or the API may set it; system fields are not
    updateable: bool = True
    calculated: bool = False
    custom: bool = False
    #: field-level security of the connection's user: unreadable fields are absent from describe and unknown to SOQL
    readable: bool = True
    editable: bool = True

    @property
    def writable(self) -> bool:
        """True when the connection's user may set it."""
        return self.updateable and not self.calculated and self.readable and self.editable

    def describe(self) -> dict[str, Any]:
        """The field as its object's describe shows it."""
        return {
            "name": self.name,
            "label": self.label or self.name,
            "type": self.type,
            "soapType": _SOAP.get(self.type, "xsd:string"),
            "length": self.length,
            "byteLength": self.length * 3,
            "precision": self.precision if self.type != "int" else 0,
            "digits": self.precision if self.type == "int" else 0,
            "scale": self.scale,
            "custom": self.custom,
            "calculated": self.calculated,
            "updateable": self.writable,
            "createable": self.writable,
            "nillable": self.type not in ("boolean", "id"),
            "filterable": self.type != "textarea",
            "sortable": self.type != "textarea",
            "restrictedPicklist": self.restricted,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
                for value in self.values
            ],
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship or None,
        }


@dataclass(kw_only=True, slots=True)
class ObjectType:
    """One object of the org."""

    name: str
    label: str
    key_prefix: str
    #: by name, in describe's order
    fields: dict[str, Field] = field(default_factory=dict)

    def describe(self) -> Mapping[str, Any]:
        """The object as ``sobjects/<name>/describe`` shows it to the connection's user."""
        return {
            "name": self.name,
            "label": self.label,
            "keyPrefix": self.key_prefix,
            "custom": False,
            "queryable": True,
            "retrieveable": True,
            "replicateable": True,
            "createable": True,
            "updateable": True,
            "deletable": True,
            "undeletable": True,
            "fields": [known.describe() for known in self.fields.values() if known.readable],
            "urls": {"sobject": f"/services/data/v66.0/sobjects/{self.name}"},
        }
