"""ES modules as one script, for a page that opens from disk, where no module may import another.

Every module becomes a function that is run once, those it imports before it, and returns what it exports. It reads the
few forms of `import` and `export` that the page's modules use, each at the beginning of a line, and refuses all others.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from deltarule.errors import SettingError

FROM = re.compile(r'^(import|export)\s*\{([^}]*)\}\s*from\s*"\./([\w/.-]+)";\n?', re.M)
DECLARATION = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)\s+(\w+)", re.M)
UNREAD = re.compile(r"^(?:import|export)\b.*|\bimport\.meta\b.*", re.M)
INDENTATION = re.compile(r"^[ \t]+", re.M)
COMMENTS = re.compile(r"^[ \t]*//.*\n|^[ \t]*/\*\*[\s\S]*?\*/[ \t]*\n", re.M)


def bundle(entry: str, read: Callable[[str], str]) -> str:
    r"""One script that does what the module `entry` does, without comments and indentation.

    read: the text of a module by its name. `import("./name.js")` stays as it is: what loads a module later finds none.

    Raises SettingError for modules that import one another in a circle, and for imports and exports of another form.

    >>> modules = {"a.js": 'import { f } from "./b.js";\nf();\n', "b.js": "export const f = alert;\n"}
    >>> print(bundle("a.js", modules.__getitem__))
    const modules = {};
    modules["b.js"] = (() => {
    const f = alert;
    return { f };
    })();
    modules["a.js"] = (() => {
    const { f } = modules["b.js"];
    f();
    return {  };
    })();
    <BLANKLINE>
    """
    modules: dict[str, str] = {}
    _add(entry, read, modules, ())
    return "\n".join(["const modules = {};", *modules.values(), ""])


def _add(name: str, read: Callable[[str], str], modules: dict[str, str], path: tuple[str, ...]) -> None:
    """Add a module, as a function that is run at once, behind those that it imports."""
    if name in path:
        raise SettingError(f"modules must not import one another in a circle: got {' -> '.join([*path, name])}")
    if name in modules:
        return
    text = COMMENTS.sub("", read(name))
    if not any(line.count("`") % 2 for line in text.splitlines()):  # a template of several lines would change
        text = INDENTATION.sub("", text)

    exports = [found[2] for found in DECLARATION.finditer(text)]

    def binding(found: re.Match[str]) -> str:
        home = str(PurePosixPath(name).parent / found[3])
        _add(home, read, modules, (*path, name))
        pairs = [re.split(r"\s+as\s+", part.strip()) for part in found[2].split(",") if part.strip()]
        if found[1] == "export":
            exports.extend(f'{pair[-1]}: modules["{home}"].{pair[0]}' for pair in pairs)
            return ""
        return f'const {{ {", ".join(": ".join(pair) for pair in pairs)} }} = modules["{home}"];\n'

    body = DECLARATION.sub(r"\1 \2", FROM.sub(binding, text))
    if unread := UNREAD.search(body):
        raise SettingError(
            f'expected  import {{ ... }} from "./name.js";  or  export function, class or const  in {name}: '
            f"got {unread[0]!r}"
        )
    modules[name] = f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {", ".join(exports)} }};\n}})();'
