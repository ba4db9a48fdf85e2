package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user and the group that owns no file.
const nobody = 65534

// An identity is whom the process becomes.
type identity struct {
	uid, gid int
	change   bool // it is another one than now
}

// findIdentity is the identity behind Config.User and Config.Writable.
func findIdentity(cfg Config) (identity, error) {
	now := identity{uid: os.Geteuid(), gid: os.Getegid()}
	to := now
	var err error
	switch {
	case cfg.User == "" && now.uid != 0:
	case cfg.User == "" && len(cfg.Writable) > 0:
		to.uid, to.gid, err = owner(cfg.Writable[0])
	case cfg.User == "":
		to.uid, to.gid = nobody, nobody
	case cfg.User == "root" || cfg.User == "0":
		to.uid = 0
	default:
		to.uid, to.gid, err = lookUp(cfg.User)
	}
	if err != nil {
		return identity{}, err
	}
	to.change = to.uid != now.uid
	if to.change && now.uid != 0 {
		return identity{}, errors.New("only root can become another user")
	}
	return to, nil
}

// owner is whose a directory is.
func owner(name string) (uid, gid int, err error) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return 0, 0, fmt.Errorf("whose is %q: %w", name, err)
	}
	return int(st.Uid), int(st.Gid), nil
}

// lookUp finds a user and his group. A number needs no entry in /etc/passwd.
func lookUp(name string) (uid, gid int, err error) {
	number, numberErr := strconv.ParseUint(name, 10, 31)
	var u *user.User
	if numberErr == nil {
		if u, err = user.LookupId(name); err != nil {
			return int(number), int(number), nil
		}
	} else if u, err = user.Lookup(name); err != nil {
		return 0, 0, fmt.Errorf(`no user "%s"`, name)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, fmt.Errorf(`the user "%s" has the number "%s"`, name, u.Uid)
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, fmt.Errorf(`the group of user "%s" has the number "%s"`, name, u.Gid)
	}
	return uid, gid, nil
}

// become makes the process run as i, in no other group. Groups go first: the user may
// not change them.
func (i identity) become() error {
	if !i.change {
		return nil
	}
	err := syscall.Setgroups(nil)
	if err == nil {
		err = syscall.Setresgid(i.gid, i.gid, i.gid)
	}
	if err == nil {
		err = syscall.Setresuid(i.uid, i.uid, i.uid)
	}
	if err != nil {
		return fmt.Errorf("become user %d: %w (-Z root stays root, without capabilities)", i.uid, err)
	}
	return nil
}
