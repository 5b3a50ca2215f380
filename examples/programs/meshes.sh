#!/bin/sh
# A mesh of what each photo is about, one after another:  meshes.sh FOLDER photo.jpg …
# What is there already is left out, so that it may be started again after a break. The exit code
# tells what went wrong (client/README.md); a photo that is refused keeps none of the others.
set -u
folder=$1
shift
failed=0
for photo in "$@"; do
    name=$(basename "$photo")
    mesh=$folder/${name%.*}.glb
    [ -e "$mesh" ] && continue
    gen3d mesh "$photo" --out "$mesh" --quiet
    case $? in
        0) ;;
        1 | 5) failed=1 ;; # this photo: its sentence was printed
        *) exit 1 ;;       # nobody is signed in, or nothing answers: the next would fare no better
    esac
done
exit $failed
