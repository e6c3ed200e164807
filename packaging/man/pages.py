#!/usr/bin/env python3
"""Man pages from the programs themselves: pages.py PROGRAM PAGE

PAGE is ballastctl.1 (its commands, from its help), ballast-document.5 (every field of a document, from the tables
that also drive parsing; both of ballastctl) or ballast-NAME.8 (a daemon's, from its help). Written to standard output; nothing here says anything that the program does not.
"""
import subprocess
import sys

KINDS = ("document", "instance", "vip", "pool", "server", "check", "listener", "route", "limit", "certificate",
         "secret", "standing-check")


def ask(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text[:1] in (".", "'") else text


def literal(text):
    return ".nf\n" + "\n".join(escape(line) for line in text.rstrip().splitlines()) + "\n.fi\n"


def commands_of(overview):
    block = overview.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in block.splitlines()]


def ballastctl(program, version):
    overview = ask(program, "help")
    page = f'.TH BALLASTCTL 1 "" "Ballast {version}" "Ballast"\n.SH NAME\n'
    page += escape("ballastctl - look at and steer Ballast, the load balancer") + "\n"
    page += ".SH SYNOPSIS\n.B ballastctl\n[OPTION...] COMMAND [ARGUMENT...]\n.SH COMMANDS\n"
    for name in commands_of(overview):
        text = ask(program, "help", name).split("\nOptions for all:")[0]
        usage, _, rest = text.partition("\n\n")
        page += f".SS {escape(usage.removeprefix('Usage: '))}\n" + literal(rest)
    page += ".SH OPTIONS\n" + literal(overview.split("Options for all:\n")[1].split("\n\n")[0])
    page += ".SH EXIT STATUS\n" + literal(overview.split("Exit status: ")[1].split("\n\n")[0])
    page += ".SH ENVIRONMENT\n.TP\n.B BALLAST_SERVER\nThe API's address, as for \\-\\-server.\n"
    page += ".TP\n.B NO_COLOR\nWhen set, nothing is coloured.\n"
    return page + ".SH SEE ALSO\n.BR ballast\\-document (5)\n"


def document(program, version):
    page = f'.TH BALLAST\\-DOCUMENT 5 "" "Ballast {version}" "Ballast"\n.SH NAME\n'
    page += escape("ballast-document - what Ballast is told to do") + "\n.SH DESCRIPTION\n"
    page += "A document is JSON or YAML and describes one stack. Durations have a unit (500ms, 5s, 10m) or are whole\n"
    page += "milliseconds; rates and sizes take k, M, G and KiB, MiB, GiB. A field that is not known is refused.\n"
    for kind in KINDS:
        head, _, fields = ask(program, "explain", kind).partition("\n")
        page += f".SH {escape(kind.upper())}\n{escape(head.partition(': ')[2])}\n"
        for block in fields.strip().split("\n\n"):
            lines = block.splitlines()
            name, _, rest = lines[0].partition("  ")
            if not rest:
                page += f".PP\n{escape(block)}\n"
                continue
            page += f".TP\n\\fB{escape(name)}\\fR  {escape(rest)}\n" + "\n".join(escape(l.strip()) for l in lines[1:]) + "\n"
    return page + ".SH SEE ALSO\n.BR ballastctl (1)\n"


def daemon(program, version):
    text = ask(program, "--help")
    head, _, rest = text.partition("\n\n")
    name, _, what = head.partition(": ")
    page = f'.TH {escape(name.upper())} 8 "" "Ballast {version}" "Ballast"\n.SH NAME\n{escape(name)} \\- {escape(what)}\n'
    page += ".SH SYNOPSIS\n" + literal(rest) + ".SH FILES\n.TP\n.I /etc/ballast/ballast.yaml\nThe node file.\n"
    return page + ".SH SEE ALSO\n.BR ballastctl (1),\n.BR ballast\\-document (5)\n"


def main():
    program, name = sys.argv[1:]
    version = ask(program, "--version").split()[1]
    sys.stdout.write({"ballastctl.1": ballastctl, "ballast-document.5": document}.get(name, daemon)(program, version))


if __name__ == "__main__":
    main()
