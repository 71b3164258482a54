# What zsh offers for a line: an interactive zsh on a pseudo terminal, with compadd replaced by one that writes down
# the words it adds. Arguments: completion folder, work folder, line.
import os
import pty
import select
import shutil
import sys
import time

folder, work, line = sys.argv[1:4]
functions = os.path.join(work, "functions")
result = os.path.join(work, "offers")
os.makedirs(functions, exist_ok=True)
for name in os.listdir(folder):
    if name.endswith(".zsh"):
        shutil.copy(os.path.join(folder, name), os.path.join(functions, name[:-4]))
with open(os.path.join(work, ".zshrc"), "w") as f:
    f.write("""PROMPT='ready> '
fpath=(%s $fpath)
autoload -Uz compinit && compinit -u -D
setopt no_beep
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
	local -a __hits; builtin compadd -O __hits "$@"
	print -rl -- $__hits >> %s
	builtin compadd "$@"
}
finish() { print done >> %s.done }
zle -N finish; bindkey '^X^F' finish
""" % (functions, result, result))
for p in (result, result + ".done"):
    if os.path.exists(p):
        os.unlink(p)
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(ZDOTDIR=work, TERM="dumb", HOME=work)
    os.execvp("zsh", ["zsh", "-o", "no_global_rcs", "-i"])


def read_until(cond, limit=30):
    seen, until = b"", time.monotonic() + limit
    while time.monotonic() < until:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                seen += os.read(fd, 4096)
            except OSError:
                return
        if cond(seen):
            return


read_until(lambda seen: b"ready> " in seen)
os.write(fd, line.encode() + b"\t\x18\x06")
read_until(lambda seen: os.path.exists(result + ".done"))
os.kill(pid, 9)
os.waitpid(pid, 0)
if os.path.exists(result):
    with open(result) as f:
        sys.stdout.write(f.read())
