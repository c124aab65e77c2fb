"""What a Java class file declares and what it refers to (JVM specification, chapter 4)."""

import struct
from typing import NamedTuple

_PUBLIC, _PROTECTED = 0x0001, 0x0004
_STATIC, _SYNTHETIC, _PRIVATE, _INTERFACE, _VARARGS = 0x0008, 0x1000, 0x0002, 0x0200, 0x0080
# Bytes after the tag of a constant; that of a text says itself how long it is.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 18: 4}
# May it be null? As the annotations of Kotlin's compiler say; where there is none, nobody knows.
NULLS = {"Lorg/jetbrains/annotations/NotNull;": "!", "Lorg/jetbrains/annotations/Nullable;": "?"}
_TEXT, _LONG, _DOUBLE, _CLASS, _FIELD, _METHOD, _INTERFACE_METHOD = 1, 5, 6, 7, 9, 10, 11


class Member(NamedTuple):
    """A field or method: of which class (with dots and $), its name and JVM descriptor."""

    owner: str
    name: str
    descriptor: str
    static: bool = False
    constant: object = None  # of a field that is compiled into what uses it
    generic: str = ""  # its type with generics, where there are such
    throws: tuple = ()  # what it declares to throw
    varargs: bool = False  # of a method: the last parameter may be several
    visible: bool = True  # to other packages
    nulls: str = ""  # a letter for each parameter and the result, see NULLS


class ClassFile(NamedTuple):
    name: str
    is_interface: bool
    parent: str
    interfaces: list
    declared: list  # Members that are not private and not the compiler's own
    synthetic: list  # those that are the compiler's own
    used: list  # Members of any class
    types: set  # classes that it names


def read(content):
    """Bytes of a class file -> :class:`ClassFile`."""
    pool, at = _constants(content)

    def text(index):
        return pool[index][1]

    def class_name(index):
        return text(pool[index][1][0]).replace("/", ".") if index else ""

    def number():
        nonlocal at
        at += 2
        return struct.unpack_from(">H", content, at - 2)[0]

    is_interface = bool(number() & _INTERFACE)
    name, parent = class_name(number()), class_name(number())
    interfaces = [class_name(number()) for _ in range(number())]
    declared, synthetic = [], []
    for _ in ("fields", "methods"):
        for _ in range(number()):
            flags, member, descriptor = number(), text(number()), text(number())
            attributes = {}
            for _ in range(number()):
                attribute = text(number())
                (length,) = struct.unpack_from(">I", content, at)
                attributes[attribute] = content[at + 4 : at + 4 + length]
                at += 4 + length
            found = Member(
                name,
                member,
                descriptor,
                bool(flags & _STATIC),
                visible=bool(flags & (_PUBLIC | _PROTECTED)),
                varargs=descriptor.startswith("(") and bool(flags & _VARARGS),
                **_facts(pool, descriptor, attributes),
            )
            if flags & _SYNTHETIC:
                synthetic.append(found)
            elif not flags & _PRIVATE and member != "<clinit>":
                declared.append(found)
    used = []
    for tag, value in pool.values():
        if tag in (_FIELD, _METHOD, _INTERFACE_METHOD):
            pair = pool[value[1]][1]
            used.append(Member(class_name(value[0]), text(pair[0]), text(pair[1])))
    types = {text(value[0]).replace("/", ".") for tag, value in pool.values() if tag == _CLASS}
    return ClassFile(name, is_interface, parent, interfaces, declared, synthetic, used, types)


def read_all(folder):
    return [read(path.read_bytes()) for path in sorted(folder.rglob("*.class"))]


def _facts(pool, descriptor, attributes):
    """What a member's attributes say of it, as arguments of :class:`Member`."""

    def numbers(attribute):
        data = attributes.get(attribute, b"")
        return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])

    facts = {}
    if index := numbers("ConstantValue"):
        facts["constant"] = _value(pool, index[0])
    if index := numbers("Signature"):
        facts["generic"] = pool[index[0]][1]
    classes = [pool[pool[index][1][0]][1] for index in numbers("Exceptions")[1:]]
    facts["throws"] = tuple(sorted(name.replace("/", ".") for name in classes))
    # Those that no program sees: what Kotlin's compiler and our stubs use has no values in it, and
    # is therefore an index and a zero each.
    own = attributes.get("RuntimeInvisibleAnnotations", b"")
    result = _null(pool, own, 0)[0] if own else "-"
    parameters = len(split(descriptor)[0]) if descriptor.startswith("(") else 0
    nulls, data = ["-"] * parameters, attributes.get("RuntimeInvisibleParameterAnnotations", b"")
    if data and data[0] == parameters:
        at = 1
        for place in range(parameters):
            nulls[place], at = _null(pool, data, at)
    facts["nulls"] = "".join(nulls) + result if {*nulls, result} != {"-"} else ""
    return facts


def _null(pool, data, at):
    """The first of NULLS in a list of annotations, or "-"; and where the list ends."""
    (count,) = struct.unpack_from(">H", data, at)
    at, found = at + 2, "-"
    for _ in range(count):
        index, values = struct.unpack_from(">HH", data, at)
        if values:
            break  # of another kind: those of null have no values
        at += 4
        if found == "-":
            found = NULLS.get(pool[index][1], "-")
    return found, at


def split(descriptor):
    """A method's descriptor -> those of its parameters, and that of its result."""
    inside, result = descriptor[1:].split(")")
    parameters, at = [], 0
    while at < len(inside):
        start = at
        while inside[at] == "[":
            at += 1
        at = inside.index(";", at) + 1 if inside[at] == "L" else at + 1
        parameters.append(inside[start:at])
    return parameters, result


def _constants(content):
    """The constant pool, index -> (tag, its numbers or text), and where it ends."""
    (count,) = struct.unpack_from(">H", content, 8)
    pool, at, index = {}, 10, 1
    while index < count:
        tag = content[at]
        if tag == _TEXT:
            (length,) = struct.unpack_from(">H", content, at + 1)
            pool[index] = tag, content[at + 3 : at + 3 + length].decode("utf-8", "replace")
            at += 3 + length
        else:
            size = _SIZES[tag]
            whole = size - size % 2
            raw = content[at + 1 : at + 1 + size]
            pool[index] = (
                tag,
                (raw if tag in (3, 4, 5, 6) else struct.unpack(f">{whole // 2}H", raw[:whole])),
            )
            at += 1 + size
        index += 2 if tag in (_LONG, _DOUBLE) else 1  # these two count double
    return pool, at


def _value(pool, index):
    tag, value = pool[index]
    if tag == 8:
        return pool[value[0]][1]
    return struct.unpack({3: ">i", 4: ">f", 5: ">q", 6: ">d"}[tag], value)[0]
