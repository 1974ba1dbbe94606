// SPDX-License-Identifier: MIT
#include <cstdint>
#include <type_traits>
#include <utility>

#include <gradus/core/eigen.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;

namespace {
const Eigen::MatrixXd matrix = (Eigen::MatrixXd(2, 3) << 1, 2, 3, 4, 5, 6).finished();  // column-major
const Array<double> same{{1, 2, 3}, {4, 5, 6}};
}  // namespace

TEST_CASE("an Eigen expression becomes an array") {
  CHECK(from_eigen(matrix) == same);
  CHECK(from_eigen(matrix.transpose()) == Array<double>{{1, 4}, {2, 5}, {3, 6}});
  CHECK(from_eigen(2 * matrix.array() + 1) == Array<double>{{3, 5, 7}, {9, 11, 13}});
  CHECK(from_eigen(matrix * matrix.transpose()) == Array<double>{{14, 32}, {32, 77}});
  CHECK(from_eigen(matrix.block(0, 1, 2, 2)) == Array<double>{{2, 3}, {5, 6}});
  CHECK(from_eigen(matrix.cast<float>()) == Array<float>{{1, 2, 3}, {4, 5, 6}});
  CHECK(from_eigen(matrix.array() > 3) == Array<bool>{{false, false, false}, {true, true, true}});
  CHECK(from_eigen(Eigen::MatrixXd::Identity(2, 2)) == eye<double>(2));
  CHECK(from_eigen(Eigen::MatrixXd(0, 3)).shape() == Shape{0, 3});
  CHECK(from_eigen(Eigen::Matrix2i::Constant(7)) == full(Shape{2, 2}, 7));
}

TEST_CASE("Eigen's vectors have rank 1") {
  CHECK(from_eigen(Eigen::VectorXd::LinSpaced(3, 1, 3)) == Array<double>{1, 2, 3});
  CHECK(from_eigen(Eigen::RowVector3f(1, 2, 3)) == Array<float>{1, 2, 3});
  CHECK(from_eigen(matrix.row(1)) == Array<double>{4, 5, 6});
  CHECK(from_eigen(matrix.col(1)) == Array<double>{2, 5});
  CHECK(from_eigen(matrix.colwise().sum()) == Array<double>{5, 7, 9});
  CHECK(from_eigen(matrix.leftCols(1)).shape() == Shape{2, 1});  // a matrix that happens to be thin
}

TEST_CASE("a matrix that is moved in is not copied where layouts agree") {
  EigenMatrix<double> m = matrix;
  const double* where = m.data();
  auto a = from_eigen(std::move(m));
  CHECK(a.data() == where);
  CHECK(a == same);
  a.ref(0, 0) = 9;  // its own
  Eigen::VectorXf v = Eigen::VectorXf::Ones(100);
  const float* const vector = v.data();
  CHECK(from_eigen(std::move(v)).data() == vector);
  Eigen::Array<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> counts(2, 2);
  counts << 1, 2, 3, 4;
  const int* const numbers = counts.data();
  const auto adopted = from_eigen(std::move(counts));
  CHECK(adopted.data() == numbers);
  CHECK(adopted == Array<int>{{1, 2}, {3, 4}});
  const Eigen::Matrix<float, 4, 4, Eigen::RowMajor> fixed = Eigen::Matrix4f::Identity();
  auto moved = fixed;  // inside the object, aligned: moved with it
  CHECK(from_eigen(std::move(moved)) == eye<float>(4));
}

TEST_CASE("other matrices are copied") {
  EigenMatrix<double> rows = matrix;
  CHECK(from_eigen(rows).data() != rows.data());  // still the caller's
  Eigen::MatrixXd columns = matrix;
  CHECK(from_eigen(std::move(columns)) == same);
  CHECK(columns == matrix);
}

TEST_CASE("Eigen reads an array where it is") {
  const auto m = as_eigen(same);
  CHECK(m.data() == same.data());
  CHECK((m.rows() == 2 && m.cols() == 3));
  CHECK(m == matrix);
  const Array<double> v{1, 2, 3};
  const auto column = as_eigen(v);
  CHECK((column.rows() == 3 && column.cols() == 1));
  CHECK((as_eigen(same) * column)(1, 0) == 32);
  CHECK(from_eigen(as_eigen(same) * column) == Array<double>{{14}, {32}});
  CHECK(as_eigen(same.slice(1, 2))(0, 2) == 6);
  CHECK(as_eigen(Array<double>()).rows() == 0);
  CHECK(as_eigen(Array<double>(Shape{0, 3})).cols() == 3);
  static_assert(!std::is_assignable_v<decltype(m(0, 0)), double>);
}

TEST_CASE("Eigen writes into an array that is alone") {
  Array<float> a(Shape{2, 2});
  as_mutable_eigen(a).setIdentity();
  CHECK(a == eye<float>(2));
  as_mutable_eigen(a)(0, 1) = 5;
  CHECK(a(0, 1) == 5);
  Array<float> v(Shape{3});
  as_mutable_eigen(v) = Eigen::Vector3f(1, 2, 3);
  CHECK(v == Array<float>{1, 2, 3});
  const auto shared = a;
  CHECK_THROWS_AS(as_mutable_eigen(a), OwnershipError);
}

TEST_CASE("what Eigen has no room for") {
  Array<float> three(Shape{2, 2, 2});
  const auto scalar = full(Shape{}, 1.0f);
  CHECK_THROWS_AS(as_eigen(three), ShapeError);
  CHECK_THROWS_WITH(
      as_eigen(three),
      "as_eigen: the array is [2, 2, 2]; Eigen has room for rank 1 and 2, and reshape() changes the rank");
  CHECK_THROWS_WITH(
      as_eigen(scalar),
      "as_eigen: the array is []; Eigen has room for rank 1 and 2, and reshape() changes the rank");
  CHECK_THROWS_WITH(as_mutable_eigen(three),
                    "as_mutable_eigen: the array is [2, 2, 2]; Eigen has room for rank 1 and 2, and "
                    "reshape() changes the rank");
  CHECK(as_eigen(three.reshape({4, 2})).rows() == 4);
  const auto there = Array<float>{1, 2}.to("fake");
  CHECK_THROWS_AS(as_eigen(there), DeviceError);
  CHECK_THROWS_WITH(as_eigen(there), "as_eigen: the array [2] is on fake:0; move it with .to(\"cpu\")");
}

TEST_CASE("a map's memory can be borrowed") {
  const EigenMatrix<double> m = matrix;
  const auto a = Array<double>::borrow(std::span(m.data(), std::size_t(m.size())), {m.rows(), m.cols()});
  CHECK(a.data() == m.data());
  CHECK(a == same);
}
