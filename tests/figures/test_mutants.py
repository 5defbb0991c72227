#!/usr/bin/env python3
"""Goal: what the unit tests do not notice is listed, and nothing else. A small made-up checkout has a function that its test tries at every edge, one
that it never calls, one that hangs if it is broken, and lines of which no code is made. It is only read; a run that was broken off goes on.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

MUTANTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants")
FILES = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.25)\nproject(small LANGUAGES C)\nset(CMAKE_EXPORT_COMPILE_COMMANDS ON)\nenable_testing()\n"
                      "add_library(room STATIC room/room.c room/other.c)\ntarget_include_directories(room PUBLIC .)\nadd_subdirectory(tests/unit/room)\n"
                      'file(WRITE ${CMAKE_BINARY_DIR}/tests/needs "test_room test_room\\ntest_other test_other\\n")\n',
    "tests/unit/room/CMakeLists.txt": "foreach(name test_room test_other)\nadd_executable(${name} ${name}.c)\n"
                                      "target_link_libraries(${name} room)\nadd_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})\nendforeach()\n"
                                      "set_target_properties(test_other PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)\n",
    "room/room.h": "enum { US_OK, US_ERR_LIMIT };\nextern int calls;\nint tried(int n);\nint waits(int n);\nint frees(int n);\nint never(int n);\n",
    "room/room.c": """#include <stdlib.h>
#include "room/room.h"
int calls;
static void
count(int n)
{
	calls += n;
}
int
tried(int n)
{
	int err = n == 7 ? US_ERR_LIMIT : US_OK;
	if (err != US_OK)
		return err;
	if (n < 0 || n >= 10)
		return US_ERR_LIMIT;
	count(
	    n);
	return US_OK; /* 5 && 6 */
}
int
waits(int n)
{
	while (n > 0)
		n -= 1;
	return n;
}
int
frees(int n)
{
	char *p = malloc((size_t)n);
	free(p);
	return n;
}
#if 0
int
left_out(int n)
{
	return n < 5;
}
#endif
""",
    "room/other.c": '#include "room/room.h"\nint\nnever(int n)\n{\n\treturn n < 5;\n}\n',
    "tests/unit/room/test_room.c": '#include "room/room.h"\nint\nmain(void)\n{\n\tfrees(20);\n\tfor (int n = -1; n < 12; n++)\n'
                                   "\t\tif (tried(n) != (n == -1 || n == 7 || n > 9 ? US_ERR_LIMIT : US_OK))\n\t\t\treturn 1;\n"
                                   "\treturn calls != 38 || waits(3) != 0;\n}\n",
    "tests/unit/room/test_other.c": '#include "room/room.h"\nint\nmain(void)\n{\n\treturn 0;\n}\n',
}


def run(*args):
    p = subprocess.run([sys.executable, MUTANTS, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    assert p.returncode == 0, p.stderr.decode()
    return p.stdout.decode(), p.stderr.decode()


def main():
    if not (shutil.which("cmake") and shutil.which("ninja") and shutil.which("objdump")):
        print("skipped: no cmake, ninja or objdump")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        tree, build = os.path.join(folder, "tree"), os.path.join(folder, "build")
        for path, text in FILES.items():
            os.makedirs(os.path.join(tree, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(tree, path), "w") as f:
                f.write(text)
        seen = {}
        for seed in range(1, 4):
            out, _ = run("--tree", tree, "--build", build, "--seed", str(seed), "--jobs", "2", "--json", "room")
            got = json.loads(out)
            assert got["died"] + got["survived"] == len(got["mutants"]) == 10, got  # a line each, of those with something to break
            for m in got["mutants"]:
                seen[m["file"], m["line"], m["becomes"]] = m["noticed_by"]
                assert (m["noticed_by"] is None) == (m["file"] == "room/other.c"), m
        kinds = {becomes for _, _, becomes in seen}
        assert {";", "return US_OK;", "n -= 0;"} < kinds, sorted(kinds)
        for path, text in FILES.items():
            with open(os.path.join(tree, path)) as f:
                assert f.read() == text, path
        assert sorted(os.listdir(tree)) == ["CMakeLists.txt", "room", "tests"]
        out, _ = run("--tree", tree, "--build", build, "--jobs", "1", "room")
        assert "room/other.c:5: return n < 5;" in out and "10 mutants, 9 died, 1 survived (seed 1)" in out, out
    print("passed")
    return 0


sys.exit(main())
