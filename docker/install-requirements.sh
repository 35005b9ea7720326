#!/bin/sh
# Make /opt/venv from a hashed requirements file: no installer in it, nothing that runs no code, all byte-compiled.
set -eu

requirements=$1
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -n "${MCP_CA_BUNDLE:-}" ]; then
    { cat "$bundle" 2>/dev/null || true; printf '%s\n' "$MCP_CA_BUNDLE"; } > /tmp/ca-bundle.crt
    bundle=/tmp/ca-bundle.crt
fi
# pip before 24.2 does not look into the system's certificates, which may name a proxy that inspects TLS.
if [ -f "$bundle" ]; then
    export PIP_CERT="$bundle"
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1

python3 -m venv /tmp/installer
python3 -m venv --without-pip /opt/venv
/tmp/installer/bin/pip --python /opt/venv/bin/python3 install --quiet --no-compile --only-binary :all: \
    --require-hashes --requirement "$requirements"
rm -rf /tmp/installer /tmp/ca-bundle.crt

packages=$(/opt/venv/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# Type stubs, test suites, examples and C sources serve development only.
find "$packages" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.c' -o -name '*.h' \) -delete
find "$packages" -depth -type d \( -name tests -o -name test \) -exec rm -rf {} +
rm -rf "$packages/boto3/examples" "$packages"/*.dist-info/RECORD
rm -f /opt/venv/bin/[Aa]ctivate*
/opt/venv/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages"
