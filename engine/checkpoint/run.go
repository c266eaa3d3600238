package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"ganglion/engine/checkpoint/config"
)

// Names in a run directory, beside checkpoints.
const (
	ConfigFile  = "config.yaml"
	EnvFile     = "env.json"
	MetricsFile = "metrics.jsonl"
	LogFile     = "log.txt"
	lockFile    = ".lock"
)

// The kinds of error a run directory can give, for errors.Is.
var (
	ErrLocked        = errors.New("in use by another process")
	ErrNotRun        = errors.New("not a run directory")
	ErrConfigChanged = errors.New("the configuration was changed")
)

// Run is a run directory that this process may write. It is not for concurrent use.
type Run struct {
	// Warnings are what Open had to repair. They are to be shown to the user.
	Warnings []string

	dir     string
	hash    string
	lock    *flock.Flock
	metrics *lines
	log     *os.File
}

// Create makes the run directory out with its configuration, a struct, and environment, and locks it. The directory
// may exist if it is empty or holds only what an interrupted Create left; anything else in it is an error.
func Create(out string, cfg any, env Env) (*Run, error) {
	yaml, err := config.Encode(cfg)
	if err != nil {
		return nil, fmt.Errorf("create run %s: %w", out, err)
	}
	if err := mkdirAll(osDisk{}, out); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	if err := (osDisk{}).SyncDir(filepath.Dir(filepath.Clean(out))); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	if err := checkUnused(out); err != nil { // before the lock: nothing is to be written to a foreign directory
		return nil, err
	}
	r := &Run{dir: out}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if err := r.create(yaml, env); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// create fills the locked directory. The configuration comes last: a directory is a run when it has one.
func (r *Run) create(yaml []byte, env Env) error {
	if err := checkUnused(r.dir); err != nil {
		return err
	}
	if err := openDir(osDisk{}, r.dir, filepath.Join(r.dir, checkpointDir)); err != nil {
		return fmt.Errorf("create run: %w", err)
	}
	text, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return fmt.Errorf("create run %s: encode environment: %w", r.dir, err)
	}
	if err := r.openFiles(); err != nil {
		return err
	}
	if err := writeBytes(r.path(EnvFile), append(text, '\n')); err != nil {
		return fmt.Errorf("create run: %w", err)
	}
	if err := writeBytes(r.path(ConfigFile), yaml); err != nil {
		return fmt.Errorf("create run: %w", err)
	}
	r.hash = hashOf(yaml)
	return nil
}

// Open locks an existing run directory for writing, for example to resume it. Reading one (ReadConfig, ReadEnv,
// Latest, LoadBest) takes no lock.
func Open(dir string) (*Run, error) {
	r := &Run{dir: dir}
	yaml, err := os.ReadFile(r.path(ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open run %s: %w: it has no %s", dir, ErrNotRun, ConfigFile)
	}
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	r.hash = hashOf(yaml)
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if err := r.openFiles(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// acquire takes the lock, or fails at once.
func (r *Run) acquire() error {
	r.lock = flock.New(r.path(lockFile), flock.SetPermissions(0o644))
	ok, err := r.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock run %s (does its file system support locks?): %w", r.dir, err)
	}
	if !ok {
		return fmt.Errorf("run %s is %w: wait until that ends, or start a new run in another directory", r.dir,
			ErrLocked)
	}
	return nil
}

// openFiles opens metrics and log for appending.
func (r *Run) openFiles() error {
	var err error
	var warning string
	if r.metrics, warning, err = openLines(r.path(MetricsFile)); err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	if warning != "" {
		r.Warnings = append(r.Warnings, warning)
	}
	if r.log, err = os.OpenFile(r.path(LogFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	return nil
}

// path is the path of a file of the run.
func (r *Run) path(name string) string { return filepath.Join(r.dir, name) }

// Dir is the run directory.
func (r *Run) Dir() string { return r.dir }

// Metrics takes complete lines of JSON, each with a whole number "step" that does not fall, and appends each Write
// to metrics.jsonl at once. The line of a step is to be written before the checkpoint of that step is saved.
func (r *Run) Metrics() io.Writer { return r.metrics }

// Log appends to log.txt.
func (r *Run) Log() io.Writer { return r.log }

// Save forces the metrics to the disk and then saves a checkpoint; see Save. It fills in the hash of the
// configuration.
func (r *Run) Save(s *State, o SaveOptions) (string, error) {
	if err := r.metrics.f.Sync(); err != nil {
		return "", fmt.Errorf("save checkpoint: force the metrics to the disk: %w", err)
	}
	full := *s
	full.ConfigHash = r.hash
	return Save(r.dir, &full, o)
}

// Resume loads the newest whole checkpoint and cuts metrics.jsonl after its step, so that the resumed run repeats
// no line. If the run ended before its first save, the State is nil and the metrics are empty. A checkpoint of
// another configuration is an error that wraps ErrConfigChanged.
func (r *Run) Resume() (*Found, error) {
	names, err := candidates(osDisk{}, r.path(checkpointDir))
	if err != nil {
		return nil, fmt.Errorf("resume run %s: %w", r.dir, err)
	}
	if len(names) == 0 {
		return &Found{}, r.rewind(-1)
	}
	found, err := Latest(r.dir)
	if err != nil {
		return nil, fmt.Errorf("resume run: %w", err)
	}
	if found.State.ConfigHash != r.hash {
		return nil, fmt.Errorf("resume run %s: %w since %s was saved: restore %s, or start a new run", r.dir,
			ErrConfigChanged, found.Path, ConfigFile)
	}
	return found, r.rewind(found.State.Step)
}

// rewind cuts the metrics after a step.
func (r *Run) rewind(step int) error {
	warning, err := r.metrics.rewind(step)
	if err != nil {
		return fmt.Errorf("resume run: %w", err)
	}
	if warning != "" {
		r.Warnings = append(r.Warnings, warning)
	}
	return nil
}

// Close forces metrics and log to the disk and gives up the lock.
func (r *Run) Close() error {
	var errs []error
	if r.metrics != nil {
		errs = append(errs, r.metrics.f.Sync(), r.metrics.f.Close())
	}
	if r.log != nil {
		errs = append(errs, r.log.Sync(), r.log.Close())
	}
	if err := errors.Join(append(errs, r.lock.Unlock())...); err != nil {
		return fmt.Errorf("close run %s: %w", r.dir, err)
	}
	return nil
}

// ReadConfig decodes the configuration of a run directory into a struct; see config.Decode.
func ReadConfig(dir string, into any) error {
	err := config.Read(filepath.Join(dir, ConfigFile), into)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: it has no %s", dir, ErrNotRun, ConfigFile)
	}
	return err
}

// checkUnused returns an error if there is anything in a directory that a new run must not mix with.
func checkUnused(dir string) error {
	names, err := osDisk{}.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("create run: %w", err)
	}
	if slices.Contains(names, ConfigFile) {
		return fmt.Errorf("create run: %s is a run already: resume it, or choose another directory", dir)
	}
	left := []string{checkpointDir, lockFile, LogFile, MetricsFile, EnvFile, EnvFile + tempSuffix,
		ConfigFile + tempSuffix}
	for _, n := range names {
		if !slices.Contains(left, n) {
			return fmt.Errorf("create run: %s: %w, and not empty (%s is in it): choose another directory", dir,
				ErrNotRun, n)
		}
		info, err := os.Lstat(filepath.Join(dir, n))
		if err != nil {
			return fmt.Errorf("create run: %w", err)
		}
		if n == checkpointDir {
			inside, err := osDisk{}.ReadDir(filepath.Join(dir, n))
			if err != nil || len(inside) > 0 {
				return fmt.Errorf("create run: %s: checkpoints without a %s are in it: choose another directory", dir,
					ConfigFile)
			}
		} else if !strings.HasSuffix(n, tempSuffix) && n != EnvFile && info.Size() > 0 {
			return fmt.Errorf("create run: %s: %s is not empty: choose another directory", dir, n)
		}
	}
	return nil
}

// mkdirAll makes a directory and those above it, each forced to the disk.
func mkdirAll(d disk, dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is there and is not a directory", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := mkdirAll(d, parent); err != nil {
		return err
	}
	if err := d.Mkdir(dir); err != nil {
		return err
	}
	return d.SyncDir(parent)
}

// writeBytes is WriteFile for bytes at hand.
func writeBytes(name string, b []byte) error {
	return WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// hashOf is the hash of a configuration.
func hashOf(yaml []byte) string {
	sum := sha256.Sum256(yaml)
	return hex.EncodeToString(sum[:])
}
