#!/usr/bin/env bash
# Run the tests of all five packages on Python 3.14, which comes from Debian sid, in a folder of its
# own. By hand, or in CI where that may be root:
#
#     tests-integration/python_3_14.sh [package ...]
#
# It needs root, debootstrap and the network. SID names the folder: it is kept, 700 MB, and used
# again. MIRROR is where Debian's packages come from, by default where `apt-get` gets them.
set -euo pipefail
cd "$(dirname "$0")/.."

SID=${SID:-${TMPDIR:-/tmp}/sid}
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | grep -m 1 '/debian/$')}
# The compiler is for biscuits and autoroutes, which have no wheels for 3.14.
DEBIAN=python3.14,python3.14-venv,python3.14-dev,ca-certificates,gcc,g++,libc6-dev
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
PACKAGES=("$@")
[ $# -gt 0 ] || PACKAGES=(roll-http roll-multipart roll-routing roll-websocket roll)

make_system() {
  [ -x "$SID/usr/bin/python3.14" ] || debootstrap --variant=minbase "--include=$DEBIAN" sid "$SID" "$MIRROR"
  # Mirrors may have a certificate that only this machine knows.
  [ ! -f "$CERTIFICATES" ] || cp "$CERTIFICATES" "$SID$CERTIFICATES"
}

copy_repository() {
  rm -rf "$SID/roll"
  mkdir "$SID/roll"
  git ls-files -z | tar --null --files-from=- --create | tar --extract --directory "$SID/roll"
}

# Run the commands of the standard input in the new system. Until they end, it has a /proc, and the
# /dev of this system: tests open terminals.
inside() {
  unshare --mount --fork sh -c \
    'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
      exec chroot "$1" bash -euo pipefail -s -- "$2"' \
    - "$SID" "$1"
}

# The environment of hatch.toml that a package is tested in: a leaf is alone, roll has the leaves.
test_package() {
  inside "$1" <<'END'
cd /roll
export LC_ALL=C.UTF-8 PIP_ROOT_USER_ACTION=ignore
package=$1 environment=alone own=("packages/$1")
if [ "$package" = roll ]; then
  environment=default own=(packages/*)
fi
python3.14 -m venv --clear "/venvs/$package"
. "/venvs/$package/bin/activate"
python -c "
import tomllib
print(*tomllib.load(open('hatch.toml', 'rb'))['envs']['$environment']['dependencies'], sep='\n')
" > requirements.txt
pip install --quiet -r requirements.txt "${own[@]}"
python -m pytest -q -p no:cacheprovider "packages/$package"
END
}

make_system
copy_repository
failed=()
for package in "${PACKAGES[@]}"; do
  echo "== $package on Python 3.14"
  test_package "$package" || failed+=("$package")
done
[ ${#failed[@]} = 0 ] || { echo "Failed: ${failed[*]}"; exit 1; }
