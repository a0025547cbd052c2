#!/bin/sh
# Makes an OCI image directory of busybox with umoci, and a bundle of it: image.sh DIRECTORY. docs/images.md shows the steps.
set -eu
directory=$1
cd "$directory"
umoci init --layout image
umoci new --image image:box
umoci unpack --image image:box first
mkdir -p first/rootfs/bin first/rootfs/etc first/rootfs/tmp
cp /bin/busybox first/rootfs/bin/
for name in sh ls id cat echo hostname sleep; do ln -s busybox "first/rootfs/bin/$name"; done
echo 'root:x:0:0:root:/root:/bin/sh' >first/rootfs/etc/passwd
umoci repack --image image:box first
umoci config --image image:box --config.entrypoint /bin/sh --config.env GREETING=hello
rm -rf first
umoci unpack --image image:box bundle
