"""Each lint is shown small trees with one violation each, and must name it; and a clean one.

A lint that finds nothing in the repository proves nothing by itself. Takes the names of the lints
to prove, or proves all.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import banned
import documents
import elf
import headers
import layers
import pointers
import sizes
import symbols

LONG_FUNCTION = "void f(void);\nvoid f(void)\n{\n" + "    ;\n" * 70 + "}\n"
DEEP = ("void f(int a)\n{\n" + "".join("    " * d + "if (a) {\n" for d in range(1, 6)) + ";"
        + "}" * 5 + "\n}\n")

# lint, what is planted {path: text}, what the finding must say; "" for a clean tree.
TEXT_CASES = [
    (layers, {"proto/a.c": "#include <stdio.h>\n"}, "proto/a.c:1: <stdio.h> is not among"),
    (layers, {"mesh/log/a.c": "#include <time.h>\n"}, "<time.h> is not among"),
    (layers, {"mesh/log/a.c": "#include <stdlib.h>\n"}, "<stdlib.h> is for mesh/base"),
    (layers, {"mesh/log/a.c": "#include <pcre2.h>\n"}, "<pcre2.h> is not among"),
    (layers, {"mesh/filter/patterns.c": "#include <pcre2.h>\n"}, ""),
    (layers, {"mesh/filter/filter.c": "#include <pcre2.h>\n"}, "<pcre2.h> is not among"),
    (layers, {"mesh/filter/a.c": '#include "mesh/sessions/s.h"\n', "mesh/sessions/s.h": ""},
     "mesh/filter may not include mesh/sessions"),
    (layers, {"client/ctl/a.c": '#include "mesh/filter/filter.h"\n',
              "mesh/filter/filter.h": ""}, ""),
    (layers, {"client/ctl/a.c": '#include "mesh/filter/parser.h"\n', "mesh/filter/parser.h": ""},
     "client/ctl may not include mesh/filter/parser.h"),
    (layers, {"keys/a.c": "#include <czmq.h>\n"}, "<czmq.h> is not for keys"),
    (layers, {"keys/a.c": '#include "daemon/d.h"\n', "daemon/d.h": ""},
     "keys may not include daemon/d.h"),
    (layers, {"client/a.c": '#include "keys/k.h"\n', "keys/k.h": ""}, ""),
    (layers, {"proto/a.c": '#include "mesh/mesh.h"\n', "mesh/mesh.h": ""},
     "proto may not include mesh/mesh.h"),
    (layers, {"daemon/a.c": '\n#include "mesh/log/log.h"\n', "mesh/log/log.h": ""},
     "daemon/a.c:2: daemon may not include mesh/log/log.h"),
    (layers, {"daemon/a.c": '#include "mesh/mesh.h"\n', "mesh/mesh.h": '#include "mesh/words.h"\n',
              "mesh/words.h": ""}, ""),
    (layers, {"mesh/base/a.c": '#include "mesh/log/log.h"\n', "mesh/log/log.h": ""},
     "mesh/base may not include mesh/log"),
    (layers, {"mesh/log/a.c": '#include "mesh/topics/t.h"\n', "mesh/topics/t.h": ""},
     "mesh/log may not include mesh/topics"),
    (layers, {"mesh/membership/a.c": '#include "mesh/log/log.h"\n', "mesh/log/log.h": ""},
     "mesh/membership may not include mesh/log"),
    (layers, {"mesh/sessions/a.c": '#include "mesh/routing/r.h"\n', "mesh/routing/r.h": ""},
     "mesh/sessions may not include mesh/routing"),
    (layers, {"mesh/routing/a.c": '#include "mesh/ownership/o.h"\n#include "mesh/sessions/s.h"\n',
              "mesh/ownership/o.h": "", "mesh/sessions/s.h": ""}, ""),
    (layers, {"mesh/topics/a.c": '#include "mesh/mesh.h"\n', "mesh/mesh.h": ""},
     "that points up"),
    (layers, {"mesh/log/a.c": '#include "b.h"\n', "mesh/log/b.h": ""}, "is not rooted"),
    (layers, {"mesh/log/a.c": '#include "mesh/log/gone.h"\n'}, "does not exist"),
    (layers, {"client/a.c": '#include "mesh/mesh.h"\n', "mesh/mesh.h": ""},
     "client may not include mesh/mesh.h"),
    (layers, {"client/a.c": "#include <cjson/cJSON.h>\n"}, "<cjson/cJSON.h> is not for client"),
    (layers, {"bench/a.c": '#include "client/loop.h"\n', "client/loop.h": ""},
     "bench may not include client/loop.h"),
    (layers, {"tests/sim/a.c": '#include "mesh/log/log.h"\n', "mesh/log/log.h": ""},
     "tests/sim may not include mesh/log/log.h"),
    (layers, {"proto/a.h": '#include "proto/b.h"\n', "proto/b.h": '#include "proto/a.h"\n'},
     "in a circle"),
    (layers, {"proto/a.c": "#include <stdint.h>\n", "proto/a.h": ""}, "its own header"),
    (sizes, {"mesh/a.c": "\n" * 601}, "601 lines"),
    (sizes, {"mesh/a.c": "\n" * 600}, ""),
    (sizes, {"mesh/a.c": LONG_FUNCTION}, "mesh/a.c:2: a function of 73 lines"),
    (sizes, {"mesh/a.c": "/*" + "x" * 99 + "*/\n"}, "103 columns"),
    (sizes, {"tests/a.sh": "#" + "x" * 100 + "\n"}, "101 columns"),
    (sizes, {"mesh/a.c": DEEP}, "mesh/a.c:7: nested 5 deep"),
    (sizes, {"mesh/a.c": DEEP.replace("if (a) {\n", "", 1).replace("}}", "}", 1)}, ""),
    (banned, {"daemon/a.c": "void f(char *a)\n{\n    strcpy(a, a);\n}\n"},
     "daemon/a.c:3: strcpy() is banned"),
    (banned, {"client/a.c": "int f(char *a) { return atoi (a); }\n"}, "atoi() is banned"),
    (banned, {"mesh/a.c": "long f(void) { return time(0); }\n"}, "time() has no place"),
    (banned, {"daemon/a.c": "long f(void) { return time(0); }\n"}, ""),
    (banned, {"daemon/a.c": "/* strcpy(a, b) */ char *a = \"strcpy(a)\"; // sprintf(x)\n"}, ""),
    (banned, {"daemon/a.c": "int f(void) { return thrd_create(0, 0, 0); }\n"}, "thrd_create()"),
    (banned, {"daemon/a.c": "int f(void) { return my_rand(x.time(1)); }\n"}, ""),
    (banned, {"daemon/a.h": "typedef struct a { int b; } a;\n"}, "no typedef of a struct"),
    (pointers, {"proto/a.c": "int f(const uint8_t *in)\n{\n    return *(in + 1);\n}\n"},
     "proto/a.c:3: arithmetic with the pointer in"),
    (pointers, {"proto/a.c": "void f(const uint8_t *in) { in++; }\n"}, "pointer in"),
    (pointers, {"proto/a.c": "int f(const uint8_t *in) { return in[1]; }\n"}, "bytes at in"),
    (pointers, {"proto/a.c": "void f(void *a) { struct b *c = (struct b *)a; g(c); }\n"}, "a cast"),
    (pointers, {"proto/reader.c": "int f(const uint8_t *in) { return *(in + 1); }\n"}, ""),
    (pointers, {"proto/a.c": "int f(struct b *c, int n) { return c->n + sizeof(char *) * n; }\n"},
     ""),
    (documents, {"proto/a.c": ""}, "proto/README.md:1: is missing"),
    (documents, {"mesh/README.md": "", "mesh/log/a.c": ""}, "mesh/log/README.md:1: is missing"),
    (documents, {"README.md": "\nTO" + "DO: more\n"}, "README.md:2: TO" + "DO"),
    (documents, {"README.md": "see /home/me/x\n"}, "/home/me lies outside"),
    (documents, {"README.md": "see ../../shared/x\n"}, "lies outside"),
    (documents, {"README.md": "as SEMANTICS.md says\n"}, "SEMANTICS.md is no document"),
    (documents, {"README.md": "see [it](gone.md)\n"}, "gone.md is dead"),
    (documents, {"README.md": "[it](a/b.md#c) [web](https://example.org)\n", "a/b.md": ""}, ""),
    (documents, {"daemon/README.md": "", "daemon/a.h": ""}, "nobody includes this header"),
    (documents, {"tests/README.md": "", "tests/unit/proto/test_gone.c": ""}, "mirrors no source"),
    (documents, {"tests/README.md": "", "tests/unit/proto/test_a_more.c": "",
                 "proto/README.md": "", "proto/a.c": ""}, ""),
    (headers, {"mesh/a.h": "uint8_t f(void);\n"}, "mesh/a.h:1: does not compile"),
    (headers, {"daemon/a.h": "struct a { int b; };\n"}, "redefinition of"),
    (headers, {"daemon/a.h": "#ifndef A\n#define A\nstruct a { int b; };\n#endif\n"}, ""),
    (headers, {"client/weft.h": "#ifndef A\n#define A\nint f(int new);\n#endif\n"}, "weft.h:1"),
]

# As above, compiled to objects first.
OBJECT_CASES = [
    ({"mesh/log/log.c": "long time(long *);\nlong log_now(void) { return time(0); }\n"},
     "mesh/log/log.c:1: uses time"),
    ({"mesh/log/log.c": "void free(void *);\nvoid log_f(void *a) { free(a); }\n"}, "calls free()"),
    ({"mesh/base/pool.c": "void free(void *);\nvoid pool_f(void *a) { free(a); }\n"}, ""),
    ({"mesh/log/log.c": "int puts(char *);\nvoid log_f(char *a) { puts(a); }\n"}, "uses puts"),
    ({"mesh/base/require.c": "int fputs(char *, void *);\nextern void *stderr;\n"
                             "void require_f(char *a) { fputs(a, stderr); }\n"}, ""),
    ({"mesh/log/log.c": "int pcre2_match_8(void);\nint log_f(void) { return pcre2_match_8(); }\n"},
     "PCRE2 is for the filters"),
    ({"mesh/base/map.c": "int log_f(void);\nint map_f(void) { return log_f(); }\n",
      "mesh/log/log.c": "int log_f(void) { return 1; }\n"},
     "mesh/base/map.c:1: uses log_f of mesh/log/log.c: mesh/base may not include mesh/log"),
    ({"daemon/loop.c": "int log_f(void);\nint loop_f(void) { return log_f(); }\n",
      "mesh/log/log.c": "int log_f(void) { return 1; }\n"},
     "daemon may not include mesh/log/log.h"),
    ({"daemon/loop.c": "int mesh_f(void);\nint loop_f(void) { return mesh_f(); }\n",
      "mesh/mesh.c": "int mesh_f(void) { return 1; }\n"}, ""),
    ({"mesh/log/log.c": "int mesh_f(void);\nint log_f(void) { return mesh_f(); }\n",
      "mesh/mesh.c": "int mesh_f(void) { return 1; }\n"}, "that points up"),
    ({"mesh/log/log.c": "int slots_f(void);\nint log_f(void) { return slots_f(); }\n",
      "client/slots.c": "int slots_f(void) { return 1; }\n"}, "uses slots_f, which is not among"),
    ({"daemon/loop.c": "int slots_f(void);\nint loop_f(void) { return slots_f(); }\n",
      "client/slots.c": "int slots_f(void) { return 1; }\n"}, ""),
    ({"mesh/log/entries.c": "int entry_f(void) { return 1; }\n",
      "mesh/config.c": "int mesh_config_f(void) { return 1; }\n"}, ""),
    ({"proto/kinds.c": "int kinds_n;\nint kinds_f(void) { return kinds_n++; }\n"},
     "4 bytes of writable data"),
    ({"proto/kinds.c": "static int n;\nint kinds_f(void) { return n++; }\n"}, "writable data"),
    ({"proto/kinds.c": "int sorts_f(void) { return 1; }\n"}, "exports sorts_f()"),
    ({"mesh/log/log.c": "void *memcpy(void *, const void *, unsigned long);\n"
                        "void log_f(void *a, void *b) { memcpy(a, b, 999); }\n"}, ""),
]

GOOD = ["-O2", "-fPIE", "-pie", "-fstack-protector-all", "-Wl,-z,relro,-z,now,-z,noexecstack"]
ELF_CASES = [
    (GOOD, ""),
    (["-O2", "-no-pie", "-fno-pie"] + GOOD[3:], "is not a PIE"),
    (GOOD + ["-Wl,-z,norelro"], "has no full RELRO"),
    (GOOD + ["-Wl,-z,lazy"], "has no full RELRO"),
    (GOOD + ["-Wl,-z,execstack"], "has an executable stack"),
    (GOOD + ["-fno-stack-protector"], "has no stack canaries"),
    (GOOD + ["-Wl,-rpath,/tmp"], "has an RPATH"),
]


def plant(root, tree):
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def text_case(root, lint, tree):
    plant(root, tree)
    return lint.check(root)


def object_case(root, tree):
    plant(root, tree)
    for path in tree:
        library = "weft_" + path.split("/")[0] + "_objects.dir"
        target = root / "build" / "CMakeFiles" / library / (path + ".o")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-c", "-w", "-O1", "-fno-builtin", "-o", str(target),
                        str(root / path)], check=True)
    return symbols.check(root, root / "build")


def elf_case(root, flags):
    plant(root, {"a.c": "int main(int c, char **v) { char a[64]; a[c & 63] = v[0][0]; "
                        "return a[v[0][1] & 63]; }\n"})
    (root / "bin").mkdir()
    subprocess.run(["cc", "-w", *flags, "-o", str(root / "bin/weftd"), str(root / "a.c")],
                   check=True)
    return elf.check(root, root)


def cases():
    for lint, tree, expected in TEXT_CASES:
        yield lint.__name__, text_case, (lint, tree), expected
    for tree, expected in OBJECT_CASES:
        yield "symbols", object_case, (tree,), expected
    for flags, expected in ELF_CASES:
        yield "elf", elf_case, (flags,), expected


def main():
    wanted, failed, proved = sys.argv[1:], 0, 0
    for name, run, arguments, expected in cases():
        if wanted and name not in wanted:
            continue
        root = pathlib.Path(tempfile.mkdtemp(prefix="weft-lint-"))
        try:
            found = [str(finding) for finding in run(root.resolve(), *arguments)]
        finally:
            shutil.rmtree(root)
        proved += 1
        if (not found) if expected == "" else any(expected in text for text in found):
            continue
        failed += 1
        print(f"{name}: planted {arguments}\n  expected: {expected or 'nothing'}\n  found: {found}")
    print(f"{proved} cases, {failed} failed")
    sys.exit(1 if failed or not proved else 0)


if __name__ == "__main__":
    main()
