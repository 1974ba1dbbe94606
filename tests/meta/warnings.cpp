// SPDX-License-Identifier: MIT
// Both compilers read this, with every warning an error: class templates are instantiated whole, used or not.
#include <gradus/gradus.hpp>

template class gradus::Array<float>;
template class gradus::Array<double>;
template class gradus::Tensor<float>;
template class gradus::Tensor<double>;

int main() {}
