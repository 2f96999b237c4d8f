#!/bin/sh
# Write the lock files anew. Argument: the uv program. One set of versions for every system and Python we support:
# dev.txt is resolved first and holds everything; the smaller files are cut from the same versions. judge.txt holds one
# package alone, whose own bounds are not those of the application.
set -e
uv=$1
compile() {
    into=requirements/$1.txt
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --annotation-style line \
        --custom-compile-command "make lock" --output-file "$into" "$@"
}
compile dev --upgrade pyproject.toml --group build --extra embedded --extra dev
compile embedded --upgrade pyproject.toml --group build --extra embedded --constraint requirements/dev.txt
compile runtime --upgrade pyproject.toml --group build --constraint requirements/dev.txt
compile node --upgrade --group node
compile lock --upgrade --group lock
compile judge --upgrade --no-deps --group judge
