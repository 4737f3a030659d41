# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers in namespaces: sshd, nginx, PostgreSQL, stunnel, with their configuration in a test's folder.

Each function starts one and returns once it listens.  A program that is not installed is a failure that
names its Debian package.
"""

import glob
import shutil

from . import proc

# What is not in a package of its program's name.
_PACKAGES = {
    "in.tftpd": "tftpd-hpa",
    "nginx": "nginx-light",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "stunnel": "stunnel4",
}
_POSTGRES = ("initdb", "postgres", "psql", "pgbench")


def find(name):
    """Path of an installed program."""
    if name in _POSTGRES:
        # Debian's wrappers in /usr/bin look for clusters of the machine.
        path = max(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), default=None)
        package = "postgresql"
    else:
        path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        package = _PACKAGES.get(name, name)
    if path is None:
        raise proc.Failed(f"there is no {name} here: apt-get install {package}")
    return path


def _start(ns, argv, address, port, log, user=None):
    child = ns.popen(*argv, user=user, log=log)

    def ready():
        if child.poll() is not None:
            raise proc.Failed(f"{argv[0]} ended ({child.returncode}):\n{log.read_text()}")
        # Asked of the kernel: a connection made for that would be one more that the test counts.
        return ns.run("ss", "-Hltn", f"src {address}:{port}").out

    proc.wait_until(f"{argv[0]} listens", ready, 20)


def sshd(ns, folder, address, port=22):
    """An sshd that lets root in with a new key; the words that ssh needs for that."""
    for key in ("host-key", "user-key"):
        ns.run(find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / key)
    (folder / "sshd_config").write_text(
        f"ListenAddress {address}:{port}\nHostKey {folder}/host-key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user-key.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\n"
    )
    ns.run("mkdir", "-p", "/run/sshd")
    argv = [find("sshd"), "-D", "-e", "-f", folder / "sshd_config"]
    _start(ns, argv, address, port, folder / "sshd.log")
    options = ["BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known", "LogLevel=ERROR"]
    return [find("ssh"), "-F", "none", "-i", folder / "user-key", *(w for o in options for w in ("-o", o))]


_NGINX = """daemon off;
worker_processes 2;
user root;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	client_max_body_size 100m;
	client_body_temp_path {folder}/nginx-body;
	proxy_temp_path {folder}/nginx-proxy;
	fastcgi_temp_path {folder}/nginx-fastcgi;
	uwsgi_temp_path {folder}/nginx-uwsgi;
	scgi_temp_path {folder}/nginx-scgi;
	keepalive_requests 100000;
	server {{
		listen {address}:{port} {options};
		root {root};
		dav_methods PUT;
	}}
}}
"""


def nginx(ns, folder, address, port=80, *, tls=False):
    """An nginx that serves a folder, which it returns, and takes PUT; with `tls` it speaks HTTP/2 too."""
    root = folder / "www"
    root.mkdir()
    conf = folder / "nginx.conf"
    options = ""
    if tls:
        both = certificate(folder, "www")
        options = f"ssl http2;\n\t\tssl_certificate {both};\n\t\tssl_certificate_key {both}"
    conf.write_text(_NGINX.format(folder=folder, address=address, port=port, root=root, options=options))
    _start(ns, [find("nginx"), "-e", "stderr", "-c", conf], address, port, folder / "nginx.log")
    return root


def postgres(ns, folder, address, port=5432):
    """A new PostgreSQL cluster, run by the user postgres, that trusts everybody; paths of psql and pgbench."""
    data = folder / "pgdata"
    data.mkdir(mode=0o700)
    shutil.chown(data, "postgres", "postgres")
    initdb = [find("initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    ns.run(*initdb, user="postgres", timeout=60)
    with open(data / "pg_hba.conf", "a") as hba:
        hba.write("host all all 0.0.0.0/0 trust\n")
    settings = {"listen_addresses": address, "port": port, "unix_socket_directories": "", "fsync": "off"}
    argv = [find("postgres"), "-D", data, *(w for s in settings.items() for w in ("-c", "{}={}".format(*s)))]
    _start(ns, argv, address, port, folder / "postgres.log", user="postgres")
    return find("psql"), find("pgbench")


def certificate(folder, name):
    """A new key and self-signed certificate in one file, as stunnel takes it."""
    key, cert, both = (folder / f"{name}.{kind}" for kind in ("key", "crt", "pem"))
    argv = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    proc.run([find("openssl"), *argv, "-subj", f"/CN={name}", "-keyout", key, "-out", cert])
    both.write_text(key.read_text() + cert.read_text())
    return both


def stunnel(ns, conf, address, port, log):
    """A stunnel with that configuration file, which has it listen at address and port."""
    _start(ns, [find("stunnel"), conf], address, port, log)


def vsftpd(ns, folder, address, port=21):
    """An FTP server that gives anybody the file `hello`, which holds the line "hello"."""
    root, empty = folder / "root", folder / "empty"
    for made in (root, empty):
        made.mkdir(parents=True)
    for made in (folder, root):
        made.chmod(0o755)
    (root / "hello").write_text("hello\n")
    conf = folder / "vsftpd.conf"
    conf.write_text(
        f"listen=YES\nlisten_ipv6=NO\nlisten_address={address}\nlisten_port={port}\nbackground=NO\n"
        f"anonymous_enable=YES\nno_anon_password=YES\nanon_root={root}\nsecure_chroot_dir={empty}\n"
        "seccomp_sandbox=NO\nconnect_from_port_20=NO\nxferlog_enable=NO\n"
    )
    _start(ns, [find("vsftpd"), conf], address, port, folder / "vsftpd.log")
