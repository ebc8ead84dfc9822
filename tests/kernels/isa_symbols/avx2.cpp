// A violation, to show that the check finds one: an inline function outside the instruction set's own namespace.
namespace linnet::kernels {

__attribute__((noinline)) inline int shared_helper(int x) { return x * x; }

namespace avx2 {

int violation(int x);
int violation(int x) { return shared_helper(x); }

}  // namespace avx2
}  // namespace linnet::kernels
