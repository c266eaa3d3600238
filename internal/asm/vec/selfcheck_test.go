package vec

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"ganglion/internal/cpu"
)

func TestSelfCheckPasses(t *testing.T) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
}

// TestSelfCheckFails replaces one primitive at a time by one that is wrong in its last element: the self-check must
// name it.
func TestSelfCheckFails(t *testing.T) {
	fields := reflect.TypeFor[Table[float32]]()
	for i := range fields.NumField() {
		table := *F32(cpu.Best())
		field := reflect.ValueOf(&table).Elem().Field(i)
		right := reflect.ValueOf(field.Interface())
		field.Set(reflect.MakeFunc(right.Type(), func(args []reflect.Value) []reflect.Value {
			out := right.Call(args)
			if len(out) > 0 {
				out[0] = reflect.ValueOf(out[0].Float() * 1.001).Convert(out[0].Type())
				return out
			}
			if to, ok := args[min(1, len(args)-1)].Interface().(AdamState[float32]); ok {
				to.V[selfCheckLength-2] *= 1.001
				return nil
			}
			dst := args[0].Interface().([]float32)
			dst[selfCheckLength-2] *= 1.001
			return nil
		}))
		name := fields.Field(i).Name
		x64, y64 := checkedArguments()
		x, y := convert[float32](x64), convert[float32](y64)
		err := selfCheck(&table, F32(cpu.Go), x, y, 0x1p-20, math.SmallestNonzeroFloat32)
		if err == nil || !strings.HasPrefix(err.Error(), name+" of") {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
}

func BenchmarkSelfCheck(b *testing.B) {
	for b.Loop() {
		if err := SelfCheck(cpu.Best()); err != nil {
			b.Fatal(err)
		}
	}
}
