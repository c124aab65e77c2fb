"""LiteRT's Kotlin API as Java sees it: the recorded list of its members, and that of classes.

The list, litert_api.txt, is written by check_litert_api.py from LiteRT's own sources.
"""

import pathlib

import class_file

FILE = pathlib.Path(__file__).with_name("litert_api.txt")
PACKAGE = "com.google.ai.edge.litert."


def read():
    """(what the list says of itself: name -> value, its lines)."""
    head, lines = {}, []
    for line in FILE.read_text().splitlines():
        if line.startswith("# ") and ": " in line:
            name, value = line[2:].split(": ", 1)
            head[name] = value
        elif line and not line.startswith("#"):
            lines.append(line)
    return head, lines


def lines(folder):
    """All that Java can use of LiteRT's classes in a folder, a line each, sorted."""
    found = []
    for one in class_file.read_all(folder):
        if not one.name.startswith(PACKAGE) or one.name.endswith("$WhenMappings"):
            continue
        parents = " ".join([one.parent, *sorted(one.interfaces)])
        found.append(f"{one.name} is {'interface ' * one.is_interface}{parents}")
        found += [
            line(member, one.synthetic)
            for member in one.declared
            if member.visible and "$" not in member.name  # Kotlin's own
        ]
    return sorted(found)


def line(member, synthetic=()):
    """A member with all that a caller must know of it."""
    parts = [f"{member.owner}.{member.name} {member.descriptor}"]
    parts += ["static"] * member.static
    parts += ["varargs"] * member.varargs
    parts += [f"nulls={member.nulls}"] * bool(member.nulls)
    parts += [f"generic={member.generic}"] * bool(member.generic)
    parts += [f"throws={','.join(member.throws)}"] * bool(member.throws)
    parts += ["defaults"] * any(_is_default_of(other, member) for other in synthetic)
    return " ".join(parts)


def of_java(line):
    """Whether a class without Kotlin's library can have it."""
    return "kotlin" not in line and "Companion" not in line


def without_defaults(line):
    """Java knows no default arguments: its classes can't say that there are some."""
    return line.removesuffix(" defaults")


def _is_default_of(other, member):
    """Kotlin calls a function with default arguments by a second one, which only Kotlin sees."""
    parameters = class_file.split(member.descriptor)[0] if "(" in member.descriptor else []
    if not parameters:
        return False
    constructor = member.name == "<init>"
    this = "" if member.static or constructor else f"L{member.owner.replace('.', '/')};"
    given = "I" * -(-len(parameters) // 32)  # a bit for each argument
    end = "Lkotlin/jvm/internal/DefaultConstructorMarker;" if constructor else "Ljava/lang/Object;"
    return other.name == (member.name if constructor else f"{member.name}$default") and (
        other.descriptor.startswith(f"({this}{''.join(parameters)}{given}{end})")
    )
