//go:build unix

package port

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// MayOpen says why this user may not read and write a port; it does not open
// it. Nil: may.
func MayOpen(path string) error { return unix.Access(path, unix.R_OK|unix.W_OK) }

// PermissionCure is what lets this user open a port that may not be opened: the
// group of its device node is not dialout everywhere.
func PermissionCure(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return joinGroup("dialout")
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return joinGroup("dialout")
	}
	return permissionCure(nodeAccess{
		user: userName(sys.Uid), group: groupName(sys.Gid), root: sys.Gid == 0,
		shared: st.Mode().Perm()&0o060 == 0o060, mode: st.Mode().Perm(), path: path, joined: hasJoined(sys.Gid),
	})
}

// nodeAccess is who may open a device node.
type nodeAccess struct {
	user, group string
	root        bool // the group is root's
	shared      bool // the group may read and write
	joined      bool // this user is in the group, since this session began
	mode        os.FileMode
	path        string
}

func permissionCure(o nodeAccess) string {
	switch {
	case o.shared && o.joined:
		return "you are in the group " + o.group + " and this session began before that: log in again"
	case o.shared && !o.root:
		return joinGroup(o.group)
	}
	return fmt.Sprintf("it is %s's alone (group %s, mode %04o): a udev rule gives it to a group, SUBSYSTEM==\"tty\", GROUP=\"dialout\", MODE=\"0660\"; for now: sudo chmod a+rw %s",
		o.user, o.group, o.mode, o.path)
}

func joinGroup(group string) string {
	return fmt.Sprintf("add your user to %s: sudo usermod -aG %s $USER, then log in again", group, group)
}

func userName(id uint32) string {
	if u, err := user.LookupId(strconv.Itoa(int(id))); err == nil {
		return u.Username
	}
	return strconv.Itoa(int(id))
}

func groupName(id uint32) string {
	if g, err := user.LookupGroupId(strconv.Itoa(int(id))); err == nil {
		return g.Name
	}
	return strconv.Itoa(int(id))
}

// hasJoined: the group is in the user's account and not among this process's.
func hasJoined(gid uint32) bool {
	if mine, err := os.Getgroups(); err != nil || slices.Contains(mine, int(gid)) {
		return false
	}
	u, err := user.Current()
	if err != nil {
		return false
	}
	all, err := u.GroupIds()
	return err == nil && slices.Contains(all, strconv.Itoa(int(gid)))
}
