#include "lanes.h"
namespace emu {
void addAsyncOps(Ops&) {}
void addMatrixOps(Ops&) {}
}  // namespace emu
