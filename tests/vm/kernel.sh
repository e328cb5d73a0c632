#!/bin/sh
# Prepares what a guest boots: Debian's cloud kernel, its modules, and an initrd that mounts this machine's own files.
#
#   tests/vm/kernel.sh [DIR]    default: tmp/vm in cargo's target directory, where the stories look for it
#
# Does nothing when DIR holds the newest kernel already. The kernel's package is unpacked, never installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-${CARGO_TARGET_DIR:-$here/../../target}/tmp/vm}

package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || {
    echo "tests/vm/kernel.sh: no package linux-image-cloud-amd64: run apt-get update" >&2
    exit 1
}
version=${package#linux-image-}
[ -e "$dir/vmlinuz" ] && [ "$(cat "$dir/version" 2>/dev/null)" = "$version" ] && [ "$dir/initrd" -nt "$here/init" ] && exit 0

mkdir -p "$dir"
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb -x "$package"_*.deb kernel)
depmod -b "$work/kernel" "$version"

# What the guest loads before it sees any file of this machine, in this order.
mkdir -p "$work/initrd/bin" "$work/initrd/modules"
cd "$work/initrd"
mkdir proc sys dev host changes root
for module in virtio_pci virtiofs overlay; do
    modprobe -S "$version" -d "$work/kernel" -D "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$work/needed"
while read -r module; do
    cp "$module" modules/
    basename "$module"
done < "$work/needed" > modules/order
cp "$(command -v busybox)" bin/busybox
cp "$here/init" init
chmod 755 init
find . | cpio --quiet -o -H newc > "$dir/initrd"

rm -rf "$dir/modules"
mv "$work/kernel/lib/modules" "$dir/modules"
cp "$work/kernel/boot/vmlinuz-$version" "$dir/vmlinuz"
echo "$version" > "$dir/version"
