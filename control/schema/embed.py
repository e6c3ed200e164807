"""Writes the migrations NNN_NAME[.addition][.postgres].sql, in order, as a C table for store_schema.h. Run by meson."""

import pathlib
import sys

out, *paths = sys.argv[1:]
rows = []
for path in sorted(map(pathlib.Path, paths), key=lambda p: p.name):
    version = int(path.name.split("_")[0])
    assert version == len(rows) + 1, f"{path.name}: migrations are numbered without a gap"
    text = path.read_text().replace("\\", "\\\\").replace('"', '\\"')
    body = "\n".join(f'\t "{line}\\n"' for line in text.splitlines() if not line.startswith("--"))
    only = "true" if ".postgres" in path.name else "false"
    addition = "true" if ".addition" in path.name else "false"
    rows.append(f'\t{{"{path.name}", {only}, {addition},\n{body}}},\n')
pathlib.Path(out).write_text(
    '/* Made by control/schema/embed.py from control/schema/. */\n#include "control/store_schema.h"\n\n'
    f'const struct store_migration store_migrations[] = {{\n{"".join(rows)}}};\n'
    f"const size_t store_migrations_count = {len(rows)};\n"
)
